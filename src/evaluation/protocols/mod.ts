/** The ways of running a tracker on a benchmark, and what is made of the results. */
import type { ProtocolName } from "../results.ts";
import { longTerm } from "./long_term.ts";
import { onePass } from "./one_pass.ts";
import type { Protocol } from "./protocol.ts";
import { restart } from "./restart.ts";

/** Protocols by name; what one returns goes to no other, so their details stay unknown outside. */
export const PROTOCOLS = { ope: onePass, restart, longTerm } as unknown as Readonly<
  Record<ProtocolName, Protocol<unknown>>
>;

export type * from "./protocol.ts";
