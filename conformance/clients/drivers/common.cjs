// What both JavaScript drivers share: reading the job, printing lines, describing what is in a result.
"use strict";

const { createRequire } = require("node:module");
const { readFileSync } = require("node:fs");

const PNG = Buffer.from("89504e470d0a1a0a", "hex");

function say(line) {
  require("node:fs").writeSync(1, JSON.stringify(line) + "\n");
}

function described(value) {
  if (value instanceof Uint8Array) {
    return { type: "bytes", length: value.length, png: PNG.equals(Buffer.from(value.subarray(0, 8))) };
  }
  if (Array.isArray(value)) return { type: "array", length: value.length };
  return { type: typeof value, shown: String(JSON.stringify(value) ?? value).slice(0, 80) };
}

function there(found) {
  return Object.entries(found).filter(([, value]) => value !== undefined && value !== null);
}

function entry(anomaly) {
  const area = anomaly?.PixelAnomaly ?? {};
  const found = { Name: anomaly?.Name, Area: area.TotalPercentageArea, Color: area.Color };
  return Object.fromEntries(there(found).map(([name, value]) => [name, described(value).type]));
}

function members(answer) {
  const { IsAnomalous, Confidence, Anomalies, AnomalyMask, Source } = answer.DetectAnomalyResult ?? {};
  const found = { IsAnomalous, Confidence, Anomalies, AnomalyMask, "Source.Type": Source?.Type };
  const told = Object.fromEntries(there(found).map(([name, value]) => [name, described(value)]));
  if (told.Anomalies?.type === "array") told.Anomalies.entries = Anomalies.map(entry).slice(0, 200);
  return told;
}

// `prepare(require, job)` gives { hello, call }, and `call(scenario, body)` what is to be said of one scenario.
async function drive(prepare) {
  const job = JSON.parse(readFileSync(0, "utf8"));
  const { hello, call } = prepare(createRequire(process.argv[2] + "/"), job);
  say({ hello: `${hello}, Node ${process.versions.node}` });
  for (const each of job.scenarios) {
    say({ scenario: each.id, ...(await call(each, readFileSync(each.body))) });
  }
  process.exit(0); // connections that are kept alive would keep us, too
}

function text(value) {
  return String(value ?? "").slice(0, 500);
}

module.exports = { drive, members, text };
