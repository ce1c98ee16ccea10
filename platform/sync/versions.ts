/** Names of migrations in their order, by domain. */
export type Migrations = Readonly<Record<string, readonly string[]>>

/** How a workstation's schemas stand to the Hub's. */
export type VersionStanding = 'same' | 'behind' | 'ahead'

/**
 * Compares what a workstation has with what the Hub has. One whose schemas are older may push (the Hub brings what it
 * sends up to date) and not pull; one that has any migration which the Hub does not know is ahead of it.
 */
export function compareVersions(workstation: Migrations, hub: Migrations): VersionStanding {
  let isBehind = false
  for (const domain of new Set([...Object.keys(workstation), ...Object.keys(hub)])) {
    const theirs = workstation[domain] ?? []
    const ours = hub[domain] ?? []
    if (theirs.some((name, index) => ours[index] !== name)) return 'ahead'
    if (theirs.length < ours.length) isBehind = true
  }
  return isBehind ? 'behind' : 'same'
}
