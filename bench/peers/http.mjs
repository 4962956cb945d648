// What both Node servers share: `POST /inject` with a Phoenix frame, and the check of a token.
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

/** An HTTP server that hands the frame of each `POST /inject` to `broadcast` and answers 204. */
export function injectable(broadcast) {
  return createServer((request, response) => {
    if (request.method !== "POST" || request.url !== "/inject") {
      response.writeHead(404).end();
      return;
    }
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      broadcast(Buffer.concat(chunks));
      response.writeHead(204).end();
    });
  });
}

/** Whether a JWT (HS256) is for this channel, signed with this secret, and has not expired. */
export function admits(token, channel, secret) {
  const [header, claims, signature] = String(token).split(".");
  const expected = createHmac("sha256", secret).update(`${header}.${claims}`).digest();
  const given = Buffer.from(signature ?? "", "base64url");
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return false;
  const { channel: wanted, exp } = JSON.parse(Buffer.from(claims, "base64url").toString());
  return wanted === channel && exp > Date.now() / 1000;
}

/** The port and the secret that `bench/run` gives. */
export const PORT = Number(process.env.PORT);
export const SECRET = process.env.SECRET ?? "";
