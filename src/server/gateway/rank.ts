/**
 * The instances in the order in which they are asked, by rendezvous hashing (Thaler and Ravishankar, 1998): the order
 * depends on the id alone, what a dead instance would get spreads over all others, and the rest keeps its order when one
 * comes or goes.
 */
export function rank(instances: readonly string[], id: string): readonly string[] {
  return instances
    .map((instance) => ({ instance, weight: hash(`${instance} ${id}`) }))
    .sort((a, b) => b.weight - a.weight)
    .map(({ instance }) => instance);
}

/** FNV-1a, 32 bits, mixed as MurmurHash3 does at its end: FNV alone ranks names that differ in one letter alike. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
