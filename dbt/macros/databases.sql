{# All that differs between databases and loaders. What is not named is PostgreSQL's and DuckDB's. #}

{% macro column(name) -%}
  {#- Snowflake's loaders write upper case; a quoted name is taken as it is. -#}
  {{ adapter.quote(name | upper if target.type == 'snowflake' else name) }}
{%- endmacro %}

{% macro type_of(kind) -%}
  {%- set types = {
    'bigquery': {
      'text': 'string', 'moment': 'timestamp', 'date': 'date', 'number': 'numeric',
      'integer': 'int64', 'boolean': 'bool', 'json': 'json'
    },
    'snowflake': {
      'text': 'varchar', 'moment': 'timestamp_tz', 'date': 'date', 'number': 'number(38, 9)',
      'integer': 'bigint', 'boolean': 'boolean', 'json': 'variant'
    },
    'duckdb': {
      'text': 'varchar', 'moment': 'timestamptz', 'date': 'date', 'number': 'decimal(38, 9)',
      'integer': 'bigint', 'boolean': 'boolean', 'json': 'json'
    },
    'postgres': {
      'text': 'text', 'moment': 'timestamptz', 'date': 'date', 'number': 'numeric',
      'integer': 'bigint', 'boolean': 'boolean', 'json': 'jsonb'
    }
  } -%}
  {{ types.get(target.type, types['postgres'])[kind] }}
{%- endmacro %}

{% macro day_of(moment) -%}
  {#- Days are in UTC, whatever the time zone of the session. -#}
  {{ {
    'bigquery': 'date(' ~ moment ~ ')',
    'snowflake': "cast(convert_timezone('UTC', " ~ moment ~ ') as date)'
  }.get(target.type, 'cast((' ~ moment ~ ") at time zone 'UTC' as date)") }}
{%- endmacro %}

{% macro moment(text) -%}
  cast('{{ text }}' as {{ type_of('moment') }})
{%- endmacro %}

{% macro seconds_between(earlier, later) -%}
  {{ {
    'bigquery': 'timestamp_diff(' ~ later ~ ', ' ~ earlier ~ ', second)',
    'snowflake': "datediff('second', " ~ earlier ~ ', ' ~ later ~ ')'
  }.get(
    target.type, 'cast(extract(epoch from (' ~ later ~ ') - (' ~ earlier ~ ')) as bigint)'
  ) }}
{%- endmacro %}

{% macro percentile(value, percent) -%}
  {#- BigQuery has no exact one that groups. -#}
  {%- if target.type == 'bigquery' -%}
    approx_quantiles({{ value }}, 100)[offset({{ percent }})]
  {%- else -%}
    percentile_cont({{ percent / 100 }}) within group (order by {{ value }})
  {%- endif -%}
{%- endmacro %}

{% macro json_text(value, key) -%}
  {{ {
    'bigquery': 'json_value(' ~ value ~ ", '$." ~ key ~ "')",
    'snowflake': 'cast(get_path(' ~ value ~ ", '" ~ key ~ "') as varchar)",
    'duckdb': 'json_extract_string(' ~ value ~ ", '$." ~ key ~ "')"
  }.get(target.type, value ~ " ->> '" ~ key ~ "'") }}
{%- endmacro %}

{% macro trimmed(text) -%}
  {#- trim() leaves the line breaks. -#}
  {%- if target.type == 'bigquery' -%}
    regexp_replace({{ text }}, r'^\s+|\s+$', '')
  {%- elif target.type == 'snowflake' -%}
    regexp_replace({{ text }}, '^\\s+|\\s+$', '')
  {%- else -%}
    regexp_replace({{ text }}, '^\s+|\s+$', '', 'g')
  {%- endif -%}
{%- endmacro %}

{% macro bare(address) -%}
  {#- `whatsapp:+14155550100` and `rcs:+14155550100` are numbers too. -#}
  case when {{ address }} like '%:%' then {{ dbt.split_part(address, "':'", 2) }} else {{ address }} end
{%- endmacro %}

{% macro columns_there(relation) -%}
  {#- Names of a table's columns in lower case, nothing if it is not there, none if nobody may look. -#}
  {%- if not execute or not flags.INTROSPECT -%}
    {{ return(none) }}
  {%- endif -%}
  {%- set found = load_relation(relation) -%}
  {%- if not found -%}
    {{ return({}) }}
  {%- endif -%}
  {%- set names = {} -%}
  {%- for entry in adapter.get_columns_in_relation(found) -%}
    {%- do names.update({entry.name | lower: entry.dtype | lower}) -%}
  {%- endfor -%}
  {{ return(names) }}
{%- endmacro %}

{% macro staged(table, columns) -%}
  {#-
    A table with columns of one type, whoever has loaded it. `columns` has lists of the name, the type
    and, if it is to be another, the new name. A stream that is not synced is a table without rows, a
    column that is left out is null: the models that need neither still run.
  -#}
  {%- set there = columns_there(source('twilio', table)) -%}
  select
  {%- for entry in columns %}
    {% if there is not none and entry[0] not in there -%}
      cast(null as {{ type_of(entry[1]) }})
    {%- elif entry[1] == 'json' -%}
      {#- BigQuery casts nothing to JSON. -#}
      {{ column(entry[0]) }}
    {%- else -%}
      cast({{ column(entry[0]) }} as {{ type_of(entry[1]) }})
    {%- endif %} as {{ entry[-1] if entry | length == 3 else entry[0] }}{{ ',' if not loop.last }}
  {%- endfor %}
  {% if there is none or there -%}
  from {{ source('twilio', table) }}
  {%- else -%}
  limit 0
  {%- endif %}
{%- endmacro %}
