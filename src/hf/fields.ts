import * as v from 'valibot';

/** Kinds of values that several of our JSON schemas share. */
export const count: v.GenericSchema<number> = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
export const size: v.GenericSchema<number> = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
export const integer: v.GenericSchema<number> = v.pipe(v.number(), v.safeInteger());
export const positive: v.GenericSchema<number> = v.pipe(v.number(), v.finite(), v.gtValue(0));
export const jsonObject: v.GenericSchema<Record<string, unknown>> = v.record(v.string(), v.unknown());
