/** Names of migrations by domain. */
export type Migrations = Readonly<Record<string, readonly string[]>>

/** How a workstation's schemas stand to the Hub's. */
export type VersionStanding = 'same' | 'behind' | 'ahead'

/**
 * Compares what a workstation has with what the Hub has. One whose schemas are older may push (the Hub brings what it
 * sends up to date) and not pull; one that has any migration which the Hub does not know is ahead of it. The order in
 * which they were applied says nothing: a home that is upgraded gets them in another one than a new home.
 */
export function compareVersions(workstation: Migrations, hub: Migrations): VersionStanding {
  const theirs = namesOf(workstation)
  const ours = namesOf(hub)
  if ([...theirs].some((name) => !ours.has(name))) return 'ahead'
  return ours.size > theirs.size ? 'behind' : 'same'
}

function namesOf(migrations: Migrations): Set<string> {
  return new Set(
    Object.entries(migrations).flatMap(([domain, names]) => names.map((name) => `${domain}/${name}`)),
  )
}
