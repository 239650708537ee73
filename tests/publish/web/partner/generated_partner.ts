// A partner's page in TypeScript, from types that openapi-typescript made: what is shown now, or what has followed a cursor.
import createClient from "openapi-fetch";
import type { paths } from "./api.js";

declare const process: { argv: string[] };

const [, , site, cursor] = process.argv;
const client = createClient<paths>({ baseUrl: site! });

async function shown() {
  const { data, error } = await client.GET("/v1/updates", { params: { query: { limit: 10 } } });
  if (error || !data || !("updates" in data)) throw new Error(JSON.stringify(error));
  return { headlines: data.updates.map(({ headline }) => headline), cursor: data.cursor };
}

async function followed(since: string) {
  const { data, error } = await client.GET("/v1/since", { params: { query: { cursor: since } } });
  if (error || !data) throw new Error(JSON.stringify(error));
  return { events: data.events.map(({ event, id }) => [event, id]), cursor: data.cursor };
}

console.log(JSON.stringify(await (cursor ? followed(cursor) : shown())));
