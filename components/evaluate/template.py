"""The frame of the report's page, as a Jinja2 template; nothing is loaded from elsewhere."""

from typing import Final

from components.evaluate.style import STYLE

PAGE: Final = (
    """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>FashionMNIST: accuracy {{ "%.4f"|format(accuracy) }}, {{ verdict.outcome }}</title>
<style>"""
    + STYLE
    + """</style>
</head>
<body>
<header>
<h1>FashionMNIST model evaluation</h1>
{% if additions.subtitle %}
<p class="soft">{{ additions.subtitle }}</p>
{% endif %}
<p class="verdict {{ verdict.outcome|replace(" ", "-") }}">
<strong>{{ verdict.outcome|capitalize }}:</strong> {{ verdict.reason }}.</p>
<dl class="tiles">
<div><dt>Test accuracy</dt><dd>{{ accuracy|percent(2) }}
<small>{{ correct|count }} of {{ examples|count }}; 95{{ thin }}% interval
{{ accuracy_interval[0]|percent(2) }} to {{ accuracy_interval[1]|percent(2) }}</small></dd></div>
{% if champion %}
<div><dt>Champion, version {{ champion.version }}</dt><dd>{{ champion.accuracy|percent(2) }}
<small>{% if champion.same %}the same model{% else %}\
{{ "{:+.2f}".format(100 * (accuracy - champion.accuracy)) }} points by this model\
{% endif %}</small></dd></div>
{% else %}
<div><dt>Champion</dt><dd>none<small>nothing to compare with</small></dd></div>
{% endif %}
<div><dt>Loss</dt><dd>{{ "%.4f"|format(loss) }}<small>mean cross-entropy{% if champion %}, \
champion {{ "%.4f"|format(champion.loss) }}{% endif %}</small></dd></div>
<div><dt>Macro F1</dt><dd>{{ "%.4f"|format(macro_f1) }}<small>mean over the classes\
{% if champion %}, champion {{ "%.4f"|format(champion.macro_f1) }}{% endif %}</small></dd></div>
{% for tile in additions.tiles %}
<div><dt>{{ tile.name }}</dt><dd>{{ tile.value }}<small>{{ tile.note }}</small></dd></div>
{% endfor %}
</dl>
</header>
<nav aria-label="Contents">
{% for section in sections %}
<a href="#{{ section.id }}">{{ section.title }}</a>
{% endfor %}
</nav>
<main>
{% for section in sections %}
<section aria-labelledby="{{ section.id }}">
<h2 id="{{ section.id }}">{{ section.title }}</h2>
{{ section.body|safe }}
</section>
{% endfor %}
</main>
</body>
</html>
"""
)

MACROS: Final = """
{% macro bar(share) %}
<span class="bar" aria-hidden="true" style="--share:{{ "%.1f"|format(100 * share) }}%"></span>
{%- endmacro %}

{% macro values(rows) %}
<table class="values"><tbody>
{% for name, value in rows %}
<tr><th scope="row">{{ name|e|replace("_", "_<wbr>"|safe) }}</th><td>{{ value }}</td></tr>
{% endfor %}
</tbody></table>
{% endmacro %}

{% macro picture(example, pictures, names) %}
<img src="{{ pictures[example.index|string] }}" width="112" height="112" alt="Test example \
{{ example.index }}: labelled {{ names[example.label] }}, predicted \
{{ names[example.predicted] }} with {{ example.probability|percent }}">
{%- endmacro %}
"""
