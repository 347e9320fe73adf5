/** One metric: a name, what it means, and its lines in Prometheus' text format (version 0.0.4). */
export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  lines(): string[];
}

export interface Counter extends Metric {
  add(amount: number, label?: string): void;
}

export interface Histogram extends Metric {
  /** `times`: as many observations of the same value. */
  observe(value: number, times?: number): void;
}

/** Counter with at most one label, whose values must be few. */
export function createCounter(name: string, help: string, labelName?: string): Counter {
  const values = new Map<string, number>(labelName === undefined ? [['', 0]] : []);
  return {
    name,
    help,
    type: 'counter',
    add: (amount, label = '') => void values.set(label, (values.get(label) ?? 0) + amount),
    lines: () =>
      [...values].map(
        ([label, value]) => `${name}${labels(labelName ? { [labelName]: label } : {})} ${value}`,
      ),
  };
}

/** Gauge read when somebody asks; undefined: no line. */
export function createGauge(
  name: string,
  help: string,
  read: () => { readonly value: number; readonly labels?: Readonly<Record<string, string>> } | undefined,
): Metric {
  const lines = (): string[] => {
    const sample = read();
    return sample === undefined ? [] : [`${name}${labels(sample.labels ?? {})} ${sample.value}`];
  };
  return { name, help, type: 'gauge', lines };
}

/** `bounds`: upper bounds of the buckets, ascending, without infinity. */
export function createHistogram(name: string, help: string, bounds: readonly number[]): Histogram {
  const counts = new Array<number>(bounds.length).fill(0);
  let count = 0;
  let sum = 0;
  return {
    name,
    help,
    type: 'histogram',
    observe(value, times = 1) {
      count += times;
      sum += value * times;
      // Buckets are cumulative.
      for (const [index, bound] of bounds.entries()) if (value <= bound) counts[index]! += times;
    },
    lines: () => [
      ...bounds.map((bound, index) => `${name}_bucket${labels({ le: String(bound) })} ${counts[index]}`),
      `${name}_bucket{le="+Inf"} ${count}`,
      `${name}_sum ${sum}`,
      `${name}_count ${count}`,
    ],
  };
}

export function renderMetrics(metrics: readonly Metric[]): string {
  const blocks = metrics.map(({ name, help, type, lines }) =>
    [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines()].join('\n'),
  );
  return `${blocks.join('\n')}\n`;
}

function labels(pairs: Readonly<Record<string, string>>): string {
  const quote = (value: string): string => value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n');
  const list = Object.entries(pairs).map(([name, value]) => `${name}="${quote(value)}"`);
  return list.length === 0 ? '' : `{${list.join(',')}}`;
}
