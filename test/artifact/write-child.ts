/** Bakes the example in a process of its own, to be killed half-way: `MODEL_DIR OUT_DIR FILES...`. */
import process from 'node:process';
import { writeArtifact } from '../../src/artifact/write.ts';
import { exampleContent, exampleGraphs } from './example.ts';

const [modelDir = '', outDir = '', ...sourceFiles] = process.argv.slice(2);
await writeArtifact(outDir, { modelDir, sourceFiles, graphs: exampleGraphs(1), content: exampleContent });
