"""llama.cpp, by way of xllamacpp: the slots, batching and drafts of its server, called within the process.

`prepare` writes GGUF files, `run` generates; each reads a job from standard input and answers with JSON in the last line
(jobs and answers: protocol.ts).
"""

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def prepare(job):
    """Writes the model in f32, q8_0 and q4_0; every matrix is rounded, the embedding (which is the head too) included."""
    import gguf
    import numpy as np

    with open(os.path.join(job["modelDir"], "config.json"), encoding="utf-8") as file:
        config = json.load(file)
    if config["model_type"] != "llama" or not config["tie_word_embeddings"]:
        raise SystemExit("writing GGUF: needs a llama whose embedding is its head, found another model")
    tensors = read_bfloat16(os.path.join(job["modelDir"], "model.safetensors"), np)
    for name, kind in [("f32", "F32"), ("8 bit", "Q8_0"), ("4 bit", "Q4_0")]:
        quantization = gguf.GGMLQuantizationType[kind]
        writer = gguf.GGUFWriter(os.path.join(job["out"], f"{name}.gguf"), "llama")
        describe(writer, config)
        for source, tensor in tensors.items():
            data = pair_neighbours(source, tensor, config)
            if data.ndim == 1:
                writer.add_tensor(rename(source), data)
            else:
                data = gguf.quants.quantize(data, quantization)
                writer.add_tensor(rename(source), data, raw_dtype=quantization)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    return {}


def read_bfloat16(path, np):
    """Tensors of a safetensors file by name, widened to float32: numpy has no bfloat16."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        if entry["dtype"] != "BF16":
            raise SystemExit(f"reading {name} of {path}: needs BF16, found {entry['dtype']}")
        begin, end = entry["data_offsets"]
        halves = np.frombuffer(data[begin:end], dtype="<u2").astype("<u4") << 16
        tensors[name] = halves.view("<f4").reshape(entry["shape"])
    return tensors


def describe(writer, config):
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_dimension_count(config["head_dim"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_theta"])
    # The server answers with text, so a token's text is its number; so none of them ends a text by its name either.
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([f"{token}," for token in range(config["vocab_size"])])
    writer.add_token_merges(["1 2"])


def rename(source):
    """A tensor's name in the checkpoint to that in GGUF."""
    *path, kind = source.replace("model.layers.", "blk.").split(".")
    layer = path[:2] if path[0] == "blk" else []
    return ".".join([*layer, NAMES[".".join(path[len(layer) :])], kind])


def pair_neighbours(name, tensor, config):
    """llama.cpp rotates neighbours where the checkpoint rotates halves: rows of q and k change places."""
    heads = {"q_proj": "num_attention_heads", "k_proj": "num_key_value_heads"}
    key = next((heads[part] for part in name.split(".") if part in heads), None)
    if key is None:
        return tensor
    halves = tensor.reshape(config[key], 2, config["head_dim"] // 2, tensor.shape[1])
    return halves.swapaxes(1, 2).reshape(tensor.shape)


def run(job):
    import xllamacpp

    started = time.perf_counter()
    server = xllamacpp.Server(parameters(xllamacpp, job))
    load_ms = since(started)

    def generate(prompt):
        request = {
            "prompt": prompt,
            "n_predict": job["tokens"],
            "temperature": 0,
            "ignore_eos": True,
            "cache_prompt": False,
        }
        started = time.perf_counter()
        answer = server.handle_completions(request)
        ms = since(started)
        ids = [int(token) for token in answer["choices"][0]["text"].split(",")[:-1]]
        if len(ids) != job["tokens"]:
            raise SystemExit(f"generating {job['tokens']} tokens: llama.cpp stopped after {len(ids)}")
        # Its clock of predictions starts when the first token is there.
        decode_ms = answer["timings"]["predicted_ms"]
        return {"ids": ids, "ms": ms, "decodeMs": decode_ms, "decoded": len(ids) - 1}

    generate(job["prompts"][0])
    with ThreadPoolExecutor(len(job["prompts"]) if job["mode"] == "together" else 1) as pool:
        generations = list(pool.map(generate, job["prompts"]))
    return {"loadMs": load_ms, "generations": generations}


def parameters(xllamacpp, job):
    params = xllamacpp.CommonParams()
    params.model.path = job["model"]
    params.cpuparams.n_threads = job["threads"]
    params.cpuparams_batch.n_threads = job["threads"]
    params.verbosity = 0
    params.fit_params = False
    params.n_parallel = len(job["prompts"]) if job["mode"] == "together" else 1
    params.n_ctx = job["contextTokens"] * params.n_parallel
    if job["precision"] == "f32":
        params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    if job["mode"] == "draft":
        params.speculative.types = [
            xllamacpp.common_speculative_type.COMMON_SPECULATIVE_TYPE_DRAFT_SIMPLE
        ]
        params.speculative.draft.mparams.path = job["draftModel"]
        params.speculative.draft.cpuparams.n_threads = job["threads"]
        params.speculative.draft.cpuparams_batch.n_threads = job["threads"]
    return params


def since(started):
    """Milliseconds."""
    return 1000 * (time.perf_counter() - started)


if __name__ == "__main__":
    answer = {"prepare": prepare, "run": run}[sys.argv[1]](json.load(sys.stdin))
    print(json.dumps(answer), flush=True)
    # Without the destructors of its threads, which now and then do not end.
    os._exit(0)
