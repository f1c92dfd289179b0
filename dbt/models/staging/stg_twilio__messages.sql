{{ staged('messages', [
  ['sid', 'text'],
  ['account_sid', 'text'],
  ['messaging_service_sid', 'text'],
  ['from', 'text', 'from_address'],
  ['to', 'text', 'to_address'],
  ['body', 'text'],
  ['status', 'text'],
  ['direction', 'text'],
  ['error_code', 'integer'],
  ['date_created', 'moment'],
  ['date_updated', 'moment'],
  ['date_sent', 'moment'],
  ['num_segments', 'integer'],
  ['num_media', 'integer'],
  ['price', 'number'],
  ['price_unit', 'text']
]) }}
