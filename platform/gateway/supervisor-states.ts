/** The life of a service: `failing` waits to be started again, `refused` waits for a person. */
export const serviceStates = ['asleep', 'starting', 'ready', 'failing', 'refused', 'closing'] as const
export type ServiceState = (typeof serviceStates)[number]
