/** Another process that writes to a SQLite file without pause, until its stdin ends; then it says how often. */
import Database from "better-sqlite3"

const database = new Database(process.argv[2], { timeout: 5000 })
database.exec("CREATE TABLE IF NOT EXISTS other (n INTEGER NOT NULL)")
database.exec("INSERT INTO other VALUES (0)")
let ended = false
process.stdin.once("end", () => {
  ended = true
})
process.stdin.resume()
const write = database.transaction(() => database.exec("UPDATE other SET n = n + 1"))
let times = 0
const again = () => {
  write.immediate()
  times += 1
  if (times === 1) console.log("writing")
  if (ended) console.log(String(times))
  else setImmediate(again)
}
again()
