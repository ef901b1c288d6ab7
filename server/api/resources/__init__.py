"""What the API answers with. Each kind of answer is one Pydantic model; `docs/schemas/api/` has their JSON Schema."""
