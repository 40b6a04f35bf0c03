/** The server's own lines are Bisheng's, in Chinese, as its clients know them; this page says them in English. */
const english: ReadonlyMap<string, string> = new Map([
  ["文件上传完成，开始解析", "The file is there; reading it."],
  ["开始解析", "Reading what was given."],
  ["文件解析完成", "The file is read."],
  ["文件解析完成，开始执行", "The file is read; starting."],
  ["文件解析完成，开始生成报告", "The file is read; writing the report."],
  ["开始生成报告", "Writing the report."],
  ["当前Prompt设置无用户输入，PresetQuestion 不生效", "This app takes no questions; it runs once."],
  ["主动退出", "Stopped"],
  ["本轮结束", "The round is over"]
])

/** Of an answer whose server died in the middle of it. */
export const lostWords = "The server that was writing it is gone; what it had written is kept."

/** An app's own words stay as they are. */
export const spoken = (words: string): string =>
  english.get(words.trim()) ?? words.replace(/^(.{1,100}): 请发言$/, "$1, it is your turn.")
