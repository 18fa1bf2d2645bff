"""What the site does, for programs: JSON under /api, told by an OpenAPI document."""
