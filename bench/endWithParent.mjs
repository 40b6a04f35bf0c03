/** A process of the benchmark never outlives the program that started it, however that one ends. */
export const endWithParent = () => {
  process.on("disconnect", () => process.exit(0))
}
