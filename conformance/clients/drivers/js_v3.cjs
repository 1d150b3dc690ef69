// Drives the AWS SDK for JavaScript, version 3.
"use strict";

const { drive, members, text } = require("./common.cjs");

drive((load, job) => {
  const sdk = load("@aws-sdk/client-lookoutvision");
  const Base = sdk.LookoutVisionServiceException;
  const milliseconds = Math.round(job.seconds * 1000);
  const requestHandler = {
    connectionTimeout: milliseconds,
    requestTimeout: milliseconds,
    socketTimeout: milliseconds,
    throwOnRequestTimeout: true,
  };

  function raised(error) {
    const service = error instanceof Base;
    return {
      class: text(error?.constructor?.name),
      name: text(error?.name),
      message: text(error?.message),
      service,
      typed: service && error.constructor !== Base,
      status: error?.$metadata?.httpStatusCode ?? null,
      attempts: error?.$metadata?.attempts ?? null,
    };
  }

  async function call(each, body) {
    const client = new sdk.LookoutVisionClient({ region: job.region, endpoint: each.endpoint, requestHandler });
    const input = { ProjectName: each.project, ModelVersion: each.version, ContentType: each.content_type, Body: body };
    try {
      const answer = await client.send(new sdk.DetectAnomaliesCommand(input));
      const { httpStatusCode, attempts } = answer.$metadata;
      return { members: members(answer), status: httpStatusCode ?? null, attempts: attempts ?? null };
    } catch (error) {
      return { error: raised(error) };
    } finally {
      client.destroy();
    }
  }

  return { hello: `@aws-sdk/client-lookoutvision ${load("@aws-sdk/client-lookoutvision/package.json").version}`, call };
});
