"use strict";
(() => {
  const $ = (selector, within = document) => [...within.querySelectorAll(selector)];
  const form = document.getElementById("filter");

  // Copy
  const copy = async (text, shown) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      getSelection().selectAllChildren(shown);
      return document.execCommand("copy");
    }
  };
  for (const button of $("button.copy")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const shown = button.parentElement.querySelector("code");
      button.textContent = (await copy(shown.textContent, shown)) ? "Copied" : "Press Ctrl+C";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
  }

  // Paper holds everything
  addEventListener("beforeprint", () => {
    for (const each of $("details:not([open])")) {
      each.open = true;
      each.dataset.folded = "";
    }
  });
  addEventListener("afterprint", () => {
    for (const each of $("details[data-folded]")) {
      each.open = false;
      delete each.dataset.folded;
    }
  });

  if (!form) return;
  const clauses = $("article.clause");
  const groups = $(".group");
  const cells = new Map($(".map a.cell").map((cell) => [cell.hash.slice(1), cell]));
  const words = new Map(clauses.map((clause) => [clause, ""]));
  const names = [...new Set([...form.elements].map((control) => control.name))].filter((name) => name && name !== "text");

  const said = (clause) => {
    if (!words.get(clause)) words.set(clause, clause.textContent.toLowerCase());
    return words.get(clause);
  };
  // A control is called like the data that it is about; of what is chosen there, one has to be among the data
  const has = (clause, name, value) => ` ${clause.dataset[name]} `.includes(` ${value} `);
  const filter = () => {
    const wanted = new FormData(form);
    const text = wanted.get("text").trim().toLowerCase().split(/\s+/);
    const chosen = names.map((name) => [name, wanted.getAll(name).filter(Boolean)]).filter(([, values]) => values.length);
    const narrowed = Boolean(chosen.length || text[0]);
    let shown = 0;
    for (const clause of clauses) {
      const fits = chosen.every(([name, values]) => values.some((value) => has(clause, name, value)))
        && text.every((word) => said(clause).includes(word));
      clause.hidden = !fits;
      cells.get(clause.id)?.classList.toggle("faded", !fits);
      shown += fits;
    }
    for (const group of groups) {
      const number = $("article.clause:not([hidden])", group).length;
      group.hidden = !number;
      group.querySelector(".number").textContent = number;
      if (narrowed && group.matches("details")) group.open = true;
    }
    for (const part of $(".group .part")) part.hidden = !part.querySelector("article.clause:not([hidden])");
    document.getElementById("tally").textContent = `${shown} of ${clauses.length} clauses`;
  };
  let soon;
  form.addEventListener("input", (event) => {
    clearTimeout(soon);
    if (event.target.type === "search") soon = setTimeout(filter, 120);
    else filter();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter, 0));

  const unfold = document.getElementById("unfold");
  unfold.addEventListener("click", () => {
    const open = unfold.textContent === "Unfold all";
    for (const each of $("details.group, article.clause > details")) each.open = open;
    unfold.textContent = open ? "Fold all" : "Unfold all";
  });

  // A link to a clause shows it, whatever is filtered or folded
  const arrive = () => {
    const goal = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!goal) return;
    if (goal.closest("[hidden]")) {
      form.reset();
      filter();
    }
    const details = goal.matches("article.clause") ? goal.firstElementChild : goal.closest("details");
    for (let each = details; each; each = each.parentElement.closest("details")) each.open = true;
    if (goal.matches("article.clause, details.group")) goal.querySelector("summary").focus({ preventScroll: true });
    goal.scrollIntoView();
  };
  addEventListener("hashchange", arrive);
  form.hidden = false;
  filter();
  arrive();
})();
