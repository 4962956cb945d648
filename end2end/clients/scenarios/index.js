// Every scenario by its name, in groups that are the tables of docs/CLIENTS.md.
import { contract } from "./contract.js";
import { longpoll } from "./longpoll.js";
import { supabase } from "./supabase.js";
import { wire } from "./wire.js";

/**
 * @typedef {object} Scenario
 * @property {string} title what it shows
 * @property {boolean} [own] whether it needs a gateway that it may kill
 * @property {(world: any) => Promise<void>} run
 */

/** @type {{ heading: string, scenarios: Record<string, Scenario>, supabase?: boolean }[]} */
export const groups = [
  { heading: "Channels", scenarios: contract },
  { heading: "Bytes, tokens, transports", scenarios: { ...wire, ...longpoll } },
  { heading: "What only Supabase's clients speak", scenarios: supabase, supabase: true },
];

/** The groups that are for this client. */
export const groupsFor = (client) => groups.filter(({ supabase }) => !supabase || client.supabase);
