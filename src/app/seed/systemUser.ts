/** Nobody's user id: built-in apps belong to the system. */
export const systemUserId = 0
