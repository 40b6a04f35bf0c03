/**
 * Loaded into a measured server before its own program (`node --expose-gc --import bench/probe.mjs`): collects
 * garbage when the benchmark asks for it, so that memory is compared at rest, and ends the server when the
 * benchmark is gone. It does nothing while something is measured.
 */
process.on("message", (message) => {
  if (message !== "collect") return
  // The collection that V8 itself makes when it has been idle for a while, or needs room: it compacts.
  globalThis.gc?.({ type: "major", execution: "sync", flavor: "last-resort" })
  process.send?.({ collected: process.memoryUsage() })
})
process.on("disconnect", () => process.exit(0))
// The server decides itself when it ends: listening to the benchmark must not keep it alive.
process.channel?.unref()
