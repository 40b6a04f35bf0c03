/**
 * The program: configuration, the implementations it chooses, and the port. The one place that decides which
 * storage and which model answer.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Settings } from "./config.ts"
