/** Light, dark, or as the system says; remembered on this device. */
import { useEffect, useState } from "react"

export type Theme = "system" | "light" | "dark"

const key = "colloquy-theme"

const stored = (): Theme => {
  try {
    const value = localStorage.getItem(key)
    return value === "light" || value === "dark" ? value : "system"
  } catch {
    return "system"
  }
}

const apply = (theme: Theme) => {
  document.documentElement.style.colorScheme = theme === "system" ? "" : theme
}

export const applyStoredTheme = (): void => apply(stored())

export const useTheme = (): readonly [Theme, () => void] => {
  const [theme, setTheme] = useState(stored)
  useEffect(() => {
    apply(theme)
    try {
      localStorage.setItem(key, theme)
    } catch {
      // Private windows may refuse: the choice then lasts as long as the page.
    }
  }, [theme])
  const next: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" }
  return [theme, () => setTheme(next[theme])]
}
