"""A judge of two stages: rules decide what they are sure of, a language model the rest."""
