"""The readers of the stream: a secondary arXiv category each, and what one would type for it.

The phrases were written down once, from what the categories are about (arxiv.org's taxonomy), and
were not changed after a run. All categories have at least fourteen papers in each of the months
replayed, and none is the primary category of any.
"""

from collections.abc import Mapping

SEEDS: Mapping[str, tuple[str, ...]] = {
    "cs.CR": ("adversarial attack", "jailbreak", "data privacy"),
    "cs.CY": ("AI governance", "AI in education", "societal impact"),
    "cs.DB": ("text-to-SQL", "databases", "data management"),
    "cs.DC": ("distributed training", "federated learning", "GPU inference"),
    "cs.HC": ("human-AI interaction", "user study", "user interface"),
    "cs.IR": ("recommender systems", "information retrieval", "search engine"),
    "cs.LO": ("formal verification", "theorem proving", "logic programming"),
    "cs.MA": ("multi-agent systems", "agent coordination", "multi-agent reinforcement learning"),
    "cs.MM": ("multimedia", "audio-visual learning", "video streaming"),
    "cs.RO": ("robot manipulation", "robot navigation", "autonomous driving"),
    "cs.SD": ("speech synthesis", "music generation", "sound event detection"),
    "cs.SE": ("code generation", "software engineering", "program repair"),
    "eess.IV": ("medical image segmentation", "MRI reconstruction", "image compression"),
    "eess.SP": ("wireless communication", "channel estimation", "MIMO"),
    "eess.SY": ("optimal control", "power grid", "control systems"),
    "stat.ML": ("Bayesian inference", "uncertainty quantification", "statistical learning theory"),
}

# One word each, which says little: what somebody types who does not want to think about it.
VAGUE: Mapping[str, str] = {
    "cs.CR": "security",
    "cs.CY": "society",
    "cs.DB": "data",
    "cs.DC": "scaling",
    "cs.HC": "people",
    "cs.IR": "search",
    "cs.LO": "logic",
    "cs.MA": "agents",
    "cs.MM": "media",
    "cs.RO": "robots",
    "cs.SD": "sound",
    "cs.SE": "software",
    "eess.IV": "images",
    "eess.SP": "signals",
    "eess.SY": "systems",
    "stat.ML": "statistics",
}
