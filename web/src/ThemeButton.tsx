import { Auto, Moon, Sun } from "./icons.tsx"
import { useTheme } from "./theme.ts"

const names = { system: "as your system", light: "light", dark: "dark" }

export const ThemeButton = () => {
  const [theme, next] = useTheme()
  return (
    <button
      type="button"
      className="icon-button"
      onClick={next}
      aria-label={`Colours: ${names[theme]}. Change`}
      title={`Colours: ${names[theme]}`}
    >
      {theme === "system" ? <Auto /> : theme === "light" ? <Sun /> : <Moon />}
    </button>
  )
}
