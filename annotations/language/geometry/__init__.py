"""What sentences say about a figure: the names and values in them, what stands between, and the claims they make.

from perception_reward.annotations.language.geometry.facts import fact_claims

[claim] = fact_claims("Segment AB has length 5.")
claim.relation, claim.subject      # ('value', Element(kind='segment', name='AB'))
"""
