"""Generates the pages of docs/ and the SQL of dbt/fivetran/."""
