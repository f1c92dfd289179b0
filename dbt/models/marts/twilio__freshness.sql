-- What is there of each stream and account, and how new it is.
-- depends_on: {{ source('twilio', 'accounts') }}
{% set airbyte = var('twilio_loader') == 'airbyte' -%}
{% set parts = [] -%}
{% for node in graph.sources.values() | sort(attribute='name')
  if execute and node.package_name == 'source_twilio' and node.name != '_dlt_loads' -%}
  {% set table = api.Relation.create(node.database, node.schema, node.identifier) -%}
  {% set there = columns_there(table) -%}
  {% if there is none -%}
    {% set there = {'account_sid': 'text', 'date_created': 'timestamp'} -%}
  {% endif -%}
  {% if there -%}
    {% set account = 'sid' if node.name == 'accounts' else 'account_sid' if 'account_sid' in there -%}
    {% set dates = [] -%}
    {# The first of these that a table has says when a row came to be. -#}
    {% for name in ['date_created', 'created_time', 'create_time', 'event_date', 'join_time', 'start_date'] -%}
      {% if there.get(name, '').startswith(('timestamp', 'date')) -%}
        {% do dates.append(name) -%}
      {% endif -%}
    {% endfor -%}
    {% set newest -%}
      {% if not dates -%} null
      {%- elif there[dates[0]] == 'date' -%} cast(max({{ column(dates[0]) }}) as {{ type_of('text') }}) || ' 00:00:00+00:00'
      {%- else -%} max({{ column(dates[0]) }})
      {%- endif %}
    {%- endset -%}
    {% set part -%}
      select
        '{{ node.name }}' as stream,
        {% if account %}coalesce({{ column(account) }}, ''){% else %}''{% endif %} as account_sid,
        count(*) as row_count,
        cast({{ newest }} as {{ type_of('moment') }}) as newest_row_at,
        {% if airbyte -%}
        max({{ column('_airbyte_extracted_at') }}) as last_read_at
        {%- else -%}
        (select max({{ column('inserted_at') }}) from {{ source('twilio', '_dlt_loads') }} where {{ column('status') }} = 0) as last_read_at
        {%- endif %}
      from {{ table }}
      group by 1, 2
    {%- endset -%}
    {% do parts.append(part) -%}
  {% endif -%}
{% endfor -%}

with streams as (
{% if parts -%}
{{ parts | join('\nunion all\n') }}
{%- else -%}
select
  cast(null as {{ type_of('text') }}) as stream,
  cast(null as {{ type_of('text') }}) as account_sid,
  cast(null as {{ type_of('integer') }}) as row_count,
  cast(null as {{ type_of('moment') }}) as newest_row_at,
  cast(null as {{ type_of('moment') }}) as last_read_at
limit 0
{%- endif %}
)

select streams.*, accounts.friendly_name as account_name, accounts.status as account_status
from streams
left join {{ ref('stg_twilio__accounts') }} as accounts on accounts.sid = streams.account_sid
