/** llama-swap's config on the demo's server: the two models of the original, and three to play with. */
export const DEMO_CONFIG = `# llama-swap on the demo's server
globalTTL: 1800
macros:
  server: /home/ai-server/llama.cpp/build/bin/llama-server --port \${PORT}
models:
  Qwen_Qwen3.6-35B-A3B-Q8_0:
    cmd: |
      \${server}
      --model /home/ai-server/models/Qwen_Qwen3.6-35B-A3B-Q8_0.gguf
      --ctx-size 262144
      --temp 0.7
      --cache-type-k q8_0
      --cache-type-v q8_0
      --n-gpu-layers 99
  MiniMax-M2.7-IQ3_XXS:
    cmd: |
      \${server}
      --model /home/ai-server/models/MiniMax-M2.7-UD-IQ3_XXS.gguf
      --ctx-size 131072
      --temp 1.0
      --cache-type-k q8_0
      --cache-type-v q8_0
      --n-gpu-layers 99
  small-talk-1B:
    cmd: \${server} --model /home/ai-server/models/small-talk-1B.gguf -c 65536 --reasoning off
  mystery-7B:
    # no context size is set
    cmd: \${server} --model /home/ai-server/models/mystery-7B.gguf --reasoning off
`;

/** Where the file is, below the home of the server's user. */
export const CONFIG_PATH = ".config/llama-swap/config.yaml";
