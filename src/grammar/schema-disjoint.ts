type Keywords = Readonly<Record<string, unknown>>;

/** Why the branches of a `oneOf` may hold at once; undefined: each pair excludes each other by type or by a constant. */
export function disjointReason(branches: readonly Keywords[]): string | undefined {
  for (const [index, left] of branches.entries()) {
    for (const [offset, right] of branches.slice(index + 1).entries()) {
      if (!excludes(left, right)) return `branches ${index} and ${index + 1 + offset} may hold at once`;
    }
  }
  return undefined;
}

function excludes(left: Keywords, right: Keywords): boolean {
  return !shareType(left, right) || shareNoConstant(left, right) || differInProperty(left, right);
}

function shareType(left: Keywords, right: Keywords): boolean {
  const [mine, theirs] = [typesOf(left), typesOf(right)];
  if (mine === undefined || theirs === undefined) return true;
  return mine.some((type) => theirs.includes(type));
}

/** Every integer is a number. */
function typesOf({ type }: Keywords): readonly unknown[] | undefined {
  if (type === undefined) return undefined;
  return (Array.isArray(type) ? type : [type]).map((name) => (name === 'integer' ? 'number' : name));
}

function shareNoConstant(left: Keywords, right: Keywords): boolean {
  const [mine, theirs] = [constantsOf(left), constantsOf(right)];
  return mine !== undefined && theirs !== undefined && !mine.some((text) => theirs.includes(text));
}

function constantsOf({ const: only, enum: some }: Keywords): readonly string[] | undefined {
  if (only !== undefined) return [JSON.stringify(only)];
  return Array.isArray(some) ? some.map((value) => JSON.stringify(value)) : undefined;
}

/** A property that both need, with different constants (a "discriminator"). */
function differInProperty(left: Keywords, right: Keywords): boolean {
  const [mine, theirs] = [propertiesOf(left), propertiesOf(right)];
  return [...mine].some(([name, schema]) => {
    const other = theirs.get(name);
    return other !== undefined && shareNoConstant(schema, other);
  });
}

function propertiesOf({ properties, required }: Keywords): ReadonlyMap<string, Keywords> {
  const names = Array.isArray(required) ? required : [];
  const entries = Object.entries(Object(properties)).filter(([name]) => names.includes(name));
  return new Map(entries.map(([name, schema]) => [name, Object(schema)]));
}
