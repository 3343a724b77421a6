// The API reference: Swagger UI over /openapi.json. Signed calls are signed here, as any
// client signs them: HMAC-SHA256 of the query under the secret, which is sent nowhere.

const SECRET = "X-API-SECRET";

async function sign(text, secret) {
  const bytes = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", bytes.encode(secret), algorithm, false, ["sign"]);
  const signature = await crypto.subtle.sign("HMAC", key, bytes.encode(text));
  return Array.from(new Uint8Array(signature), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function signRequest(request) {
  const secret = request.headers[SECRET];
  delete request.headers[SECRET];
  if (!secret) return request;
  const url = new URL(request.url, location.href);
  if (url.host !== location.host) return request;
  // The venue's own time: its clock may be a virtual one.
  const { serverTime } = await (await fetch("/fapi/v1/time")).json();
  url.searchParams.set("timestamp", serverTime);
  url.searchParams.delete("signature");
  const query = url.searchParams.toString();
  request.url = `${url.pathname}?${query}&signature=${await sign(query, secret)}`;
  return request;
}

const spec = await (await fetch("/openapi.json")).json();
// What this page adds by itself nobody has to type.
for (const operation of Object.values(spec.paths).flatMap(Object.values)) {
  operation.parameters = (operation.parameters ?? []).filter(
    ({ name }) => name !== "timestamp" && name !== "signature",
  );
}

SwaggerUIBundle({
  spec,
  dom_id: "#reference",
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: -1,
  filter: true,
  persistAuthorization: false,
  requestInterceptor: signRequest,
  syntaxHighlight: { activated: false },
});
