/**
 * Loaded into a measured server before its own program (`node --expose-gc --import bench/probe.mjs`): collects
 * garbage when the benchmark asks for it, so that memory is compared at rest, and ends the server when the
 * benchmark is gone. It does nothing while something is measured.
 */
process.on("message", async (message) => {
  if (message !== "collect") return
  // What a collection finds dead may hold on to more until the next turn.
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  process.send?.({ collected: process.memoryUsage() })
})
process.on("disconnect", () => process.exit(0))
// The server decides itself when it ends: listening to the benchmark must not keep it alive.
process.channel?.unref()
