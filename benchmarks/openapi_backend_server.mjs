// A mock on openapi-backend, as its documentation builds one: validates the request, answers with a mocked response.
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { OpenAPIBackend } from "openapi-backend";

const [, , port, document] = process.argv;
const api = new OpenAPIBackend({ definition: JSON.parse(readFileSync(document, "utf8")), quick: true, strict: false });
api.registerHandler("notImplemented", (context) => {
  const { status, mock } = context.api.mockResponseForOperation(context.operation.operationId);
  return { status, body: mock };
});
api.registerHandler("validationFail", (context) => ({ status: 400, body: { errors: context.validation.errors } }));
api.registerHandler("notFound", () => ({ status: 404, body: {} }));
api.registerSecurityHandler("access-token", () => true);
await api.init();

async function answer(request, response) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString();
  const made = await api.handleRequest({ method: request.method, path: request.url, headers: request.headers, body });
  response.writeHead(made.status, { "content-type": "application/json" });
  response.end(JSON.stringify(made.body));
}

// The load generator leaves in the middle of a body when its time is over, which must not end the server.
createServer((request, response) => {
  answer(request, response).catch(() => response.destroy());
}).listen(Number(port), "127.0.0.1");
