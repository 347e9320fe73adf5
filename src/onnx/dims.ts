/** One axis: an element count, or a symbol such as `S`, or a sum of products of symbols such as `P+S` or `2*B*S`. */
export type Dim = number | string;
export type Shape = readonly Dim[];

/** A polynomial: product of symbols (sorted, joined by `*`; '' for the constant term) to its coefficient. */
type Polynomial = Map<string, number>;

/** Whether two dims are the same element count for every value of their symbols. */
export function equalDims(a: Dim, b: Dim): boolean {
  return a === b || canonicalDim(a) === canonicalDim(b);
}

export function equalShapes(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, axis) => equalDims(dim, b[axis]!));
}

/** The one spelling that all equal dims share. */
export function canonicalDim(dim: Dim): Dim {
  return typeof dim === 'number' ? dim : format(parse(dim));
}

export function addDims(...dims: readonly Dim[]): Dim {
  const sum: Polynomial = new Map();
  for (const dim of dims) for (const [key, count] of parse(dim)) addTerm(sum, key, count);
  return format(sum);
}

export function multiplyDims(...dims: readonly Dim[]): Dim {
  return format(dims.map(parse).reduce(multiply, new Map([['', 1]])));
}

/** `total / divisor` where the divisor is one product; `undefined` where that leaves a remainder. */
export function divideDim(total: Dim, divisor: Dim): Dim | undefined {
  const [entry, ...rest] = [...parse(divisor)];
  if (entry === undefined || rest.length > 0) return equalDims(total, divisor) ? 1 : undefined;
  const quotient: Polynomial = new Map();
  for (const [key, count] of parse(total)) {
    const symbols = removeSymbols(key, entry[0]);
    if (symbols === undefined || count % entry[1] !== 0) return undefined;
    addTerm(quotient, symbols, count / entry[1]);
  }
  return format(quotient);
}

/** `[B, S, 64]` as a person writes it. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

function parse(dim: Dim): Polynomial {
  const sum: Polynomial = new Map();
  if (typeof dim === 'number') return dim === 0 ? sum : sum.set('', dim);
  for (const term of dim.split('+')) {
    const factors = term.split('*');
    const count = factors.filter(isNumeric).reduce((product, factor) => product * Number(factor), 1);
    addTerm(sum, joinSymbols(factors.filter((factor) => !isNumeric(factor))), count);
  }
  return sum;
}

function format(sum: Polynomial): Dim {
  const terms = [...sum].filter(([, count]) => count !== 0).sort(([a], [b]) => compareTerms(a, b));
  if (terms.length === 0) return 0;
  if (terms.length === 1 && terms[0]![0] === '') return terms[0]![1];
  return terms
    .map(([key, count]) => (key === '' ? `${count}` : count === 1 ? key : `${count}*${key}`))
    .join('+');
}

/** Alphabetical, the constant term last. */
function compareTerms(a: string, b: string): number {
  if (a === '' || b === '') return a === b ? 0 : a === '' ? 1 : -1;
  return a < b ? -1 : 1;
}

function multiply(a: Polynomial, b: Polynomial): Polynomial {
  const product: Polynomial = new Map();
  for (const [keyA, countA] of a) {
    for (const [keyB, countB] of b) addTerm(product, joinSymbols([keyA, keyB]), countA * countB);
  }
  return product;
}

function addTerm(sum: Polynomial, key: string, count: number): void {
  sum.set(key, (sum.get(key) ?? 0) + count);
}

function joinSymbols(keys: readonly string[]): string {
  return keys
    .flatMap((key) => (key === '' ? [] : key.split('*')))
    .sort()
    .join('*');
}

function removeSymbols(key: string, divisor: string): string | undefined {
  const left = key === '' ? [] : key.split('*');
  for (const symbol of divisor === '' ? [] : divisor.split('*')) {
    const at = left.indexOf(symbol);
    if (at < 0) return undefined;
    left.splice(at, 1);
  }
  return left.join('*');
}

function isNumeric(factor: string): boolean {
  return /^\d+$/.test(factor);
}
