// The tables of docs/CLIENTS.md, made from what the suite holds true: node matrix.js prints them.
import { fileURLToPath } from "node:url";
import { clients } from "./clients.js";
import { expectedFailure } from "./judge.js";
import { groups, groupsFor } from "./scenarios/index.js";

const asWords = (name) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).replace("json", "JSON");
const row = (cells) => `| ${cells.join(" | ")} |`;
const table = (head, rows) => [row(head), row(head.map(() => "---")), ...rows.map(row)].join("\n");

/** One cell in one word: yes; no, and the suite shows it; -, it has no such thing; not yet. */
function cell(client, name) {
  const limit = client.limits[name];
  if (limit) return limit.sign ? "no" : "-";
  return expectedFailure(client, name) ? "not yet" : "yes";
}

/** For each group of scenarios: which client does which. */
function tables() {
  return groups.map(({ heading, scenarios, supabase }) => {
    const names = Object.keys(scenarios);
    const rows = clients
      .filter((client) => !supabase || client.supabase)
      .map((client) => [client.name, ...names.map((name) => cell(client, name))]);
    return `### ${heading}\n\n${table(["client", ...names.map(asWords)], rows)}`;
  });
}

/** Why something does not work: each reason once, with the clients that it holds for. */
function reasons() {
  const found = new Map();
  for (const client of clients) {
    const ofClient = new Map();
    for (const name of groupsFor(client).flatMap(({ scenarios }) => Object.keys(scenarios))) {
      const { cannot, because } = client.limits[name] ?? expectedFailure(client, name) ?? {};
      const why = cannot ?? (because && `not yet: ${because}`);
      if (why) ofClient.set(why, [...(ofClient.get(why) ?? []), asWords(name)]);
    }
    for (const [why, names] of ofClient) {
      const key = JSON.stringify([names.join(", "), why]);
      found.set(key, [...(found.get(key) ?? []), client.name]);
    }
  }
  const rows = [...found].map(([key, names]) => [...JSON.parse(key), names.join(", ")]);
  return `### Why not\n\n${table(["what", "why", "clients"], rows)}`;
}

/** What each client is and speaks. */
function register() {
  const rows = clients.map(({ name, from, wire }) => [name, from, wire]);
  return table(["client", "from", "speaks"], rows);
}

/** Every table as the document must have it. */
export const matrix = () => [register(), ...tables(), reasons()];

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(matrix().join("\n\n"));
