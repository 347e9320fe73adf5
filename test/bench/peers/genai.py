"""onnxruntime-genai with graphs of its own model builder.

`prepare` writes them, `run` generates; each reads a job from standard input and answers with JSON in the last line
(jobs and answers: protocol.ts).
"""

import json
import os
import subprocess
import sys
import time

# Of the batch in which a prompt stands beside itself: prompts of different lengths would need padding.
COPIES = 4
# Declared as the end of a text in place of the model's end tokens: the byte 0, which no text has.
NEVER_GENERATED = 3


def prepare(job):
    """Runs the model builder for f32, int8 and int4 (blocks of 32, int8 activations; its defaults for a CPU)."""
    for name, precision in [("f32", "fp32"), ("8 bit", "int8"), ("4 bit", "int4")]:
        out = os.path.join(job["out"], name)
        cache = os.path.join(job["out"], "cache")
        builder = [sys.executable, "-m", "onnxruntime_genai.models.builder"]
        options = ["-i", job["modelDir"], "-o", out, "-p", precision, "-e", "cpu", "-c", cache]
        done = subprocess.run(builder + options, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"building {name}: the model builder ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return {}


def run(job):
    import onnxruntime_genai as og

    started = time.perf_counter()
    config = og.Config(job["model"])
    session = {"intra_op_num_threads": job["threads"]}
    config.overlay(
        json.dumps({"model": {"eos_token_id": [NEVER_GENERATED], "decoder": {"session_options": session}}})
    )
    model = og.Model(config)
    load_ms = since(started)
    copies = COPIES if job["mode"] == "together" else 1

    def generate(prompt):
        params = og.GeneratorParams(model)
        params.set_search_options(
            do_sample=False, max_length=len(prompt) + job["tokens"], batch_size=copies
        )
        if job["mode"] == "lookup":
            params.set_speculative_options(ngram_size=2, max_draft_tokens=4)
        started = time.perf_counter()
        generator = og.Generator(model, params)
        generator.append_tokens(prompt if copies == 1 else [prompt] * copies)
        generator.generate_next_token()
        first = time.perf_counter()
        while not generator.is_done():
            generator.generate_next_token()
        decode_ms = since(first)
        ms = since(started)
        texts = [generator.get_sequence(row)[len(prompt) :].tolist() for row in range(copies)]
        return [{"ids": ids, "ms": ms, "decodeMs": decode_ms, "decoded": len(ids) - 1} for ids in texts]

    generate(job["prompts"][0])
    generations = [pick_unlike(generate(prompt)) for prompt in job["prompts"]]
    return {"loadMs": load_ms, "generations": generations}


def pick_unlike(rows):
    """Of the copies of a prompt, one that differs from the first if there is any."""
    return next((row for row in rows if row["ids"] != rows[0]["ids"]), rows[0])


def since(started):
    """Milliseconds."""
    return 1000 * (time.perf_counter() - started)


if __name__ == "__main__":
    print(json.dumps({"prepare": prepare, "run": run}[sys.argv[1]](json.load(sys.stdin))))
