{{ staged('incoming_phone_numbers', [
  ['sid', 'text'],
  ['account_sid', 'text'],
  ['phone_number', 'text'],
  ['friendly_name', 'text'],
  ['type', 'text'],
  ['status', 'text'],
  ['date_created', 'moment']
]) }}
