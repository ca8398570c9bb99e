"""Questions about what is recorded, in English and Spanish: `answer(question, resources)` reads them without a model."""

from provisioning.query.answer import Answer, answer

__all__ = ["Answer", "answer"]
