/** The lines that people read while files are taken in: Bisheng's own words, which its clients' users know. */
export const notices = {
  fileReceived: "文件上传完成，开始解析",
  valuesReceived: "开始解析",
  parsed: "文件解析完成",
  parsedAndRunning: "文件解析完成，开始执行",
  parsedAndWriting: "文件解析完成，开始生成报告",
  writing: "开始生成报告",
  noUserInput: "当前Prompt设置无用户输入，PresetQuestion 不生效",
  stopped: "主动退出"
} as const
