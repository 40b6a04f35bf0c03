import { createRoot } from "react-dom/client"
import { Account } from "./Account.tsx"
import { applyStoredTheme } from "./theme.ts"
import "./styles.css"

applyStoredTheme()

const root = document.getElementById("root")
if (root === null) throw new Error("index.html has no #root")
createRoot(root).render(<Account />)
