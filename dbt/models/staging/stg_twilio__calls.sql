{{ staged('calls', [
  ['sid', 'text'],
  ['account_sid', 'text'],
  ['from', 'text', 'from_address'],
  ['to', 'text', 'to_address'],
  ['status', 'text'],
  ['direction', 'text'],
  ['date_created', 'moment'],
  ['start_time', 'moment'],
  ['duration', 'integer'],
  ['price', 'number'],
  ['price_unit', 'text'],
  ['deleted_at', 'moment'],
  ['_airbyte_extracted_at', 'moment', 'read_at']
]) }}
