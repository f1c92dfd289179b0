{% test unique_key(model, columns) %}
{# No two rows have the same values in these columns; null is a value. #}
select {{ columns | join(', ') }}, count(*) as times
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
