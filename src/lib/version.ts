/** Version of this package; a test holds it equal to package.json, so that bundles need not carry that file. */
export const VERSION = '0.1.0';
