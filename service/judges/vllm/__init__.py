"""The engine that is vLLM inside the service: `vllm:MODEL`. vllm and torch are imported here and nowhere else."""
