/** How the clients of the benchmark speak to each kind of server, by the name in a server's target. */
import { aiSdk } from "./wires/aiSdk.mjs"
import { colloquy } from "./wires/colloquy.mjs"
import { langGraph } from "./wires/langGraph.mjs"
import { socketIo } from "./wires/socketIo.mjs"

/** @type {Record<string, import("./Client.mjs").MakeWire>} */
export const wires = { aiSdk, colloquy, langGraph, socketIo }
