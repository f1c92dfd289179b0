{{ staged('usage_records', [
  ['account_sid', 'text'],
  ['start_date', 'date', 'day'],
  ['end_date', 'date'],
  ['category', 'text'],
  ['count', 'number', 'events'],
  ['count_unit', 'text'],
  ['usage', 'number', 'used'],
  ['usage_unit', 'text'],
  ['price', 'number'],
  ['price_unit', 'text']
]) }}
