// Drives the AWS SDK for JavaScript, version 2.
"use strict";

const { drive, members, text } = require("./common.cjs");

drive((load, job) => {
  const LookoutVision = load("aws-sdk/clients/lookoutvision");
  const milliseconds = Math.round(job.seconds * 1000);
  const httpOptions = { connectTimeout: milliseconds, timeout: milliseconds };

  // its errors have no classes: a name, and a status where an answer came, be it to an earlier attempt
  function raised(error, attempts) {
    const network = ["NetworkingError", "TimeoutError"].includes(error?.code);
    const service = !network && (error?.statusCode ?? 0) >= 300;
    const told = { class: text(error?.name), name: text(error?.code), message: text(error?.message), service };
    return { ...told, status: error?.statusCode ?? null, attempts };
  }

  function call(each, body) {
    const options = { region: job.region, endpoint: each.endpoint, httpOptions, maxRetries: 2 };
    const input = { ProjectName: each.project, ModelVersion: each.version, ContentType: each.content_type, Body: body };
    return new Promise((resolve) => {
      new LookoutVision(options).detectAnomalies(input, function (error, answer) {
        const attempts = this.retryCount + 1;
        if (error) resolve({ error: raised(error, attempts) });
        else resolve({ members: members(answer), status: this.httpResponse.statusCode, attempts });
      });
    });
  }

  return { hello: `aws-sdk ${load("aws-sdk/package.json").version}`, call };
});
