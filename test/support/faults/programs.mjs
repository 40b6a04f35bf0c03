/** How `npm test` finds programs, and installs Debian's where it may; the types are in `programs.d.mts`. */
export { findProgram, install } from "../../../scripts/services/programs.mjs"
