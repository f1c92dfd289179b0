{{ staged('recordings', [
  ['sid', 'text'],
  ['account_sid', 'text'],
  ['call_sid', 'text'],
  ['status', 'text'],
  ['date_created', 'moment'],
  ['date_updated', 'moment'],
  ['deleted_at', 'moment'],
  ['_airbyte_extracted_at', 'moment', 'read_at']
]) }}
